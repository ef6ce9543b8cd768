// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import ArgumentParser
public import IBKR
public import Recording

extension CompetePolicy: ExpressibleByArgument {}

extension SessionRegion: ExpressibleByArgument {}

extension Partition: ExpressibleByArgument {}

extension TimeFormat: ExpressibleByArgument {}
