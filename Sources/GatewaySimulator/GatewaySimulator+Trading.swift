// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Transport

extension GatewaySimulator {
  /// Lets an order of the account be filled.
  ///
  /// From then on the REST side lists the order and its execution. Sockets that are subscribed to
  /// `sor` and `str` are told: the order once, the execution twice, the second time with its
  /// commission.
  ///
  /// - Parameters:
  ///   - conid: The instrument.
  ///   - quantity: How many were bought.
  ///   - price: At which price.
  ///   - isTold: Whether sockets are told; live orders have been seen silent.
  public func fillOrder(conid: Int, quantity: Int = 1, price: String = "1.00", isTold: Bool = true)
  {
    model.fillOrder(
      conid: conid,
      quantity: quantity,
      price: price,
      isTold: isTold,
      at: loop.timestamp()
    )
    advance()
  }
}
