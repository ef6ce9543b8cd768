#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Port PyPI autobahntestsuite 25.10.1 (Python 2 source) to Python 3 as package `abts3`.

usage: port_suite.py <path of installed autobahntestsuite package dir> <dest dir that gets abts3/>

What is done (needs lib2to3, i.e. CPython <= 3.12):
 * only case/, caseset, fuzzing, report (CSS constants), spectemplate, testdata are kept;
   wstest's other modes (wamp, testee, wsperf) are dropped.
 * sources are read as latin-1, so every byte of a Python-2 "str" literal becomes one char <= U+00FF;
   payloads stay such "byte strings" inside the cases and are encoded latin-1 at the protocol edge
   (_BytesEdge in fuzzing.py), received payloads decoded latin-1 before they reach a case.
   Cases 12.*/13.* work on real bytes (RAW = True).
 * 2to3 (print, has_key, xrange, implicit relative imports, except X, e ...)
 * type(cc, (object, Case), ..) -> (Case,)  (MRO)
 * pickle comparison of expected/received -> ==  (pickle output depends on object identity)
 * integer division in 10.1.1
 * autobahn API renames: failConnection -> _fail_connection, no debug/debugCodePaths kwargs
 * HTML reports off by default (spec key "html": true turns them on); JSON always
"""
import logging, os, re, shutil, sys, warnings
warnings.simplefilter("ignore")
from lib2to3 import refactor

src, dst = sys.argv[1], os.path.join(sys.argv[2], "abts3")
if os.path.exists(dst):
    shutil.rmtree(dst)
os.makedirs(os.path.join(dst, "case"))
shutil.copytree(os.path.join(src, "testdata"), os.path.join(dst, "testdata"),
                ignore=shutil.ignore_patterns("__pycache__"))
files = ["caseset.py", "fuzzing.py", "report.py", "spectemplate.py"]
files += ["case/" + f for f in sorted(os.listdir(os.path.join(src, "case"))) if f.endswith(".py") and f != "case9_9_1.py"]       # 9.9.1 is not in the Cases list
for f in files:
    shutil.copy(os.path.join(src, f), os.path.join(dst, f))

open(os.path.join(dst, "__init__.py"), "w").close()   # 2to3 only makes imports relative inside a package
rt = refactor.RefactoringTool(refactor.get_fixers_from_package("lib2to3.fixes"), {}, None)
logging.disable(logging.CRITICAL)

def sub(text, pat, rep, count=1, flags=0):
    out, n = re.subn(pat, rep, text, flags=flags)
    if n < count:
        raise SystemExit("patch did not apply: %r (%d < %d)" % (pat, n, count))
    return out

for f in files:
    path = os.path.join(dst, f)
    text = open(path, "rb").read().decode("latin-1").replace("\r\n", "\n")
    text = re.sub(r"^#.*coding[:=].*$", "#", text, flags=re.M)
    if f == "report.py":                       # keep the constants only
        text = text.replace("import jinja2\n", "").split("REPORT_DIR_PERMISSIONS")[0]
        text = text.replace('"HtmlReport"', '')
    if not text.endswith("\n"):
        text += "\n"
    text = str(rt.refactor_string(text, path))
    text = text.replace("import binascii", "from abts3 import b2 as binascii") if f != "fuzzing.py" else text
    text = re.sub(r"import (copy, os, )pkg_resources, hashlib, binascii",
                  "import copy, os, hashlib\nfrom abts3 import b2 as binascii", text)
    text = re.sub(r'pkg_resources\.resource_filename\("autobahntestsuite",\s*', "_res(", text)
    if "_res(" in text:
        text = re.sub(r"(^import copy, os.*$)", r"\1\nfrom abts3 import _res", text, flags=re.M)
    text = text.replace("(object, Case, )", "(Case, )")
    if f == "caseset.py":
        text = text.replace(r"'\.'", r"'\\.'")
    if f == "case/__init__.py":
        text = sub(text, r"from \.?case9_9_1 import \*", "")
    if f == "case/case.py":
        text = sub(text, r"return pickle\.dumps\(obj1\) == pickle\.dumps\(obj2\)",
                   "return _norm(obj1) == _norm(obj2)")
        text = sub(text, r"import pickle\n", '''
def _norm(o):
   if isinstance(o, (bytes, bytearray)):
      return bytes(o).decode("latin-1")
   if isinstance(o, (list, tuple)):
      return [_norm(x) for x in o]
   return o
''')
        text = sub(text, r"SUBCASES = \[\]", "SUBCASES = []\n   RAW = False  # abts3: True = payloads are bytes")
    if f == "case/case10_1_1.py":
        text = sub(text, r"len\(self\.payload\) / self", "len(self.payload) // self")
    if f == "case/case12_x_x.py":
        for n in ("requestNoContextTakeover", "requestMaxWindowBits", "acceptNoContextTakeover", "acceptMaxWindowBits"):
            snake = re.sub("([A-Z])", lambda m: "_" + m.group(1).lower(), n)
            text = re.sub(n + r"(?= =)", snake, text)                 # keyword arguments
            text = re.sub(r"(offer|x)\." + n, r"\1." + snake, text)   # attributes
        text = sub(text, r'\{"LEN": s\[0\],', '{"RAW": True, "LEN": s[0],', 2)
    if f == "case/case6_x_x.py":
        text = sub(text, r"v\.validate\(vss\[:i\]\)", "v.validate(vss[:i].encode('latin-1'))")
    if f == "fuzzing.py":
        text = sub(text, r"import os, json, binascii, time, textwrap, pkg_resources",
                   "import os, json, time, textwrap, html as _html\nfrom abts3 import b2 as binascii, _res, _b, _s")
        text = text.replace("import autobahntestsuite\n", "import abts3 as autobahntestsuite\n")
        text = sub(text, r"debug = debug, debugCodePaths = debug", "", 2)
        text = text.replace("WebSocketServerFactory.__init__(self, )", "WebSocketServerFactory.__init__(self)")
        text = text.replace("WebSocketClientFactory.__init__(self, )", "WebSocketClientFactory.__init__(self)")
        text = text.replace("self.failConnection()", "self._fail_connection()")
        text = text.replace("if self.debug:", "if False:")
        text = text.replace("p = ''.join(payload)", "p = b''.join(payload)")
        # log helpers
        a = text.index("def binLogData("); b = text.index("class FuzzingProtocol")
        text = text[:a] + '''def binLogData(data, maxlen = 64):
   data = _b(data)
   if len(data) > maxlen - 4:
      return binascii.b2a_hex(data[:maxlen]) + " ..."
   return binascii.b2a_hex(data)


def asciiLogData(data, maxlen = 64, replace = False):
   data = _b(data)
   try:
      dd = data[:maxlen] + b" ..." if len(data) > maxlen - 4 else data
      return dd.decode('utf8', errors = 'replace' if replace else 'strict')
   except UnicodeDecodeError:
      return '0x' + binLogData(data, maxlen)


class _BytesEdge:
   """Cases hold byte strings as latin-1 str: encode on the way out, decode on the way in."""

   def sendFrame(self, opcode, payload = b"", **kw):
      return self._WS.sendFrame(self, opcode, payload = _b(payload), **kw)

   def sendMessage(self, payload, isBinary = False, **kw):
      return self._WS.sendMessage(self, _b(payload), isBinary, **kw)

   def sendMessageFrameData(self, payload, sync = False):
      return self._WS.sendMessageFrameData(self, _b(payload), sync)

   def sendCloseFrame(self, code = None, reasonUtf8 = None, isReply = False):
      return self._WS.sendCloseFrame(self, code, None if reasonUtf8 is None else _b(reasonUtf8), isReply)

   def sendPing(self, payload = None):
      return self._WS.sendPing(self, None if payload is None else _b(payload))


''' + text[b:]
        text = sub(text, r"class FuzzingServerProtocol\(FuzzingProtocol, WebSocketServerProtocol\):",
                   "class FuzzingServerProtocol(_BytesEdge, FuzzingProtocol, WebSocketServerProtocol):\n\n   _WS = WebSocketServerProtocol")
        text = sub(text, r"class FuzzingClientProtocol\(FuzzingProtocol, WebSocketClientProtocol\):",
                   "class FuzzingClientProtocol(_BytesEdge, FuzzingProtocol, WebSocketClientProtocol):\n\n   _WS = WebSocketClientProtocol")
        text = sub(text, r"self\.runCase\.onPong\(payload\)", "self.runCase.onPong(payload if self.runCase.RAW else _s(payload))")
        text = sub(text, r"self\.runCase\.onMessage\(msg, binary\)",
                   "self.runCase.onMessage(msg if self.runCase.RAW else _s(msg), binary)")
        # JSON report: tolerate bytes
        text = sub(text, r"json\.dumps\((case|res), sort_keys = True", r"json.dumps(\1, default = _s, sort_keys = True", 2)
        text = text.replace("produceHtml = True", "produceHtml = None")
        text = sub(text, r"(      ## create output directory when non-existent)",
                   "      if produceHtml is None:\n         produceHtml = bool(self.spec.get('html', False))\n\\1")
        text = text.replace(").encode(\"utf-8\"))\n      f.write('      </table>')", "))\n      f.write('      </table>')")
        text = text.replace("ll.encode('utf8')", "_html.escape(ll)")
        text = text.replace("mmask = binascii.b2a_hex(t[6])", "mmask = _s(t[6])")
        text = text.replace("os.path.join(outdir, report_filename), 'w')", "os.path.join(outdir, report_filename), 'w', encoding = 'utf-8', errors = 'replace')")
        text = text.replace('case["httpRequest"].strip()', '_s(case["httpRequest"]).strip()')
        text = text.replace('case["httpResponse"].strip()', '_s(case["httpResponse"]).strip()')
        # TLS: modern context
        text = sub(text, r"ssl\.DefaultOpenSSLContextFactory\(sslKey, sslCert\)",
                   "ssl.DefaultOpenSSLContextFactory(sslKey, sslCert, sslmethod = __import__('OpenSSL').SSL.TLS_SERVER_METHOD)")
        text = text.replace("from abts3 import _res\n", "")
        # web port: off unless asked
        text = text.replace('webdir.putChild(\'cwd\'', 'webdir.putChild(b\'cwd\'')
    open(path, "w", encoding="utf-8").write(text)

open(os.path.join(dst, "__init__.py"), "w").write('''import binascii as _bi, os as _os, types as _types
version = "25.10.1-py3"

def _b(x):
   return x.encode("latin-1") if isinstance(x, str) else bytes(x)

def _s(x):
   return x.decode("latin-1") if isinstance(x, (bytes, bytearray)) else x if isinstance(x, str) else str(x)

def _res(name):
   return _os.path.join(_os.path.dirname(_os.path.abspath(__file__)), name)

b2 = _types.SimpleNamespace(b2a_hex = lambda x: _bi.b2a_hex(_b(x)).decode(), hexlify = lambda x: _bi.b2a_hex(_b(x)).decode())
''')
open(os.path.join(dst, "__main__.py"), "w").write('''import json, sys, txaio
txaio.use_twisted()
from twisted.internet import epollreactor
epollreactor.install()
from twisted.internet import reactor
from autobahn.websocket import USES_NVX
from abts3 import fuzzing

# python -m abts3 spec.json      (spec: url, outdir, cases, exclude-cases, exclude-agent-cases, options, key, cert, html)
spec = json.load(open(sys.argv[1]))
if spec.get("deflate-count"):      # messages per 12.*/13.* case instead of 1000
   from abts3.case import Case12_X_X, Case13_X_X
   for C in Case12_X_X + Case13_X_X:
      C.COUNT = int(spec["deflate-count"])
print("native (NVX) acceleration:", USES_NVX)
if "servers" in spec:
   fuzzing.startClient(spec)
else:
   fuzzing.startServer(spec, 0)
sys.stdout.flush()
reactor.run()
''')
print("ported %d files into %s" % (len(files), dst))
