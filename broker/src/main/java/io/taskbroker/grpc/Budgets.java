package io.taskbroker.grpc;

/// Server-wide memory budgets (G7).
///
/// @param answers unread responses
/// @param requests incomplete requests
/// @param calls pending calls, with the requests that await their responses
record Budgets(Budget answers, Budget requests, Budget calls) {
  Budgets(GrpcOptions.Limits limits) {
    this(
        new Budget(limits.unreadBytes()),
        new Budget(limits.incompleteBytes()),
        new Budget(limits.incompleteBytes()));
  }
}
