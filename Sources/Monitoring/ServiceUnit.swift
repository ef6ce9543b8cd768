// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A unit for systemd that records, and that may do nothing else on the machine.
public struct ServiceUnit: Sendable, Hashable {
  /// The program, as an absolute path.
  public var program: String
  /// What it is told after its name: `record AAPL …`.
  public var arguments: [String]
  /// The directory that is recorded into, below `/var/lib`.
  public var stateDirectory = "ibkr"
  /// A file of variables for the process; it may hold secrets and is root's alone.
  public var environmentFile = "/etc/ibkr/environment"

  /// Creates a unit.
  ///
  /// - Parameters:
  ///   - program: The program, as an absolute path.
  ///   - arguments: What it is told after its name.
  public init(program: String, arguments: [String]) {
    self.program = program
    self.arguments = arguments
  }

  /// The unit's text (systemd.service(5), systemd.exec(5)).
  public var text: String {
    let command = ([program] + arguments).map(Self.quoted).joined(separator: " ")
    return """
      # Made by `ibkr service print`.
      [Unit]
      Description=Recorder of Interactive Brokers' market data
      Documentation=man:ibkr-record(1)
      After=network-online.target
      Wants=network-online.target
      # A recorder that cannot run is tried for ever: every minute counts.
      StartLimitIntervalSec=0

      [Service]
      Type=notify
      ExecStart=\(command)
      ExecReload=kill -HUP $MAINPID
      EnvironmentFile=-\(environmentFile)
      Restart=always
      RestartSec=5
      # Wrong usage or configuration does not mend itself.
      RestartPreventExitStatus=2 78
      # Signs of life follow the data: when none has come for so long although it should, they end,
      # and as long again later the recorder is started anew. It tries everything else before.
      WatchdogSec=300
      TimeoutStopSec=120
      KillSignal=SIGTERM

      DynamicUser=yes
      StateDirectory=\(stateDirectory)
      StateDirectoryMode=0750
      WorkingDirectory=/var/lib/\(stateDirectory)
      UMask=0027

      NoNewPrivileges=yes
      CapabilityBoundingSet=
      AmbientCapabilities=
      LockPersonality=yes
      MemoryDenyWriteExecute=yes
      PrivateDevices=yes
      PrivateTmp=yes
      PrivateUsers=yes
      ProcSubset=pid
      ProtectClock=yes
      ProtectControlGroups=yes
      ProtectHome=yes
      ProtectHostname=yes
      ProtectKernelLogs=yes
      ProtectKernelModules=yes
      ProtectKernelTunables=yes
      ProtectProc=invisible
      ProtectSystem=strict
      RemoveIPC=yes
      RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
      RestrictNamespaces=yes
      RestrictRealtime=yes
      RestrictSUIDSGID=yes
      SystemCallArchitectures=native
      SystemCallFilter=@system-service
      SystemCallFilter=~@privileged @resources
      SystemCallErrorNumber=EPERM
      # What is written is never more than a few MB behind; a leak shall not take the machine along.
      MemoryMax=512M
      TasksMax=64
      LimitCORE=0
      LimitNOFILE=4096

      [Install]
      WantedBy=multi-user.target

      """
  }

  /// A word of ExecStart, quoted where that is needed (systemd.syntax(7), systemd.service(5)).
  private static func quoted(_ word: String) -> String {
    var quoted = ""
    for character in word.unicodeScalars {
      switch character {
      case "\\", "\"": quoted += "\\"
      // Specifiers and variables are meant by neither.
      case "%": quoted += "%"
      case "$": quoted += "$"
      default: break
      }
      quoted.unicodeScalars.append(character)
    }
    let plain = word.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || "0123456789./,:=_@+-%$".unicodeScalars.contains($0)
    }
    return plain && !word.isEmpty ? quoted : "\"\(quoted)\""
  }
}
