package io.taskbroker.grpc;

/// Memory budgets of the whole server (G7).
///
/// @param answers answers that are not read
/// @param requests requests that have not come in full
/// @param calls calls under way, with the requests that wait for their answers
record Budgets(Budget answers, Budget requests, Budget calls) {
  Budgets(GrpcOptions.Limits limits) {
    this(
        new Budget(limits.unreadBytes()),
        new Budget(limits.incompleteBytes()),
        new Budget(limits.incompleteBytes()));
  }
}
