# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""What the interop scripts share. Nothing in here knows the Swift code: it is written from the
protocol and from the description of the file format, so that both sides cannot share a mistake."""
