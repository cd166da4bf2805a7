package io.taskbroker.store.sqlite;

import java.nio.file.Path;

/// Result of replacing a damaged database.
///
/// @param store path of the store
/// @param aside path that the damaged file was moved to; its log is beside it with the suffix
///   `-wal`
/// @param why description of the damage
/// @param rows number of tasks copied from it into the new store
public record ReplacedStore(Path store, Path aside, String why, long rows) {}
