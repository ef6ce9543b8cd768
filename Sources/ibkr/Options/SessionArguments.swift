// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import ArgumentParser
public import IBKR

extension CompetePolicy: ExpressibleByArgument {}

extension SessionRegion: ExpressibleByArgument {}
