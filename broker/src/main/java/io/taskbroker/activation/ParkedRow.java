package io.taskbroker.activation;

/// What stays in memory of a row that is parked in the store.
public record ParkedRow(long key, String id, String application, Origin origin, long parkedUntil) {}
