package io.taskbroker.store.sqlite;

import java.nio.file.Path;

/// A damaged database that was moved away, and what took its place.
///
/// @param store the file that is the store now
/// @param aside the file that was; its log is beside it, with `-wal` behind the name
/// @param why what is wrong with it
/// @param rows how many activations could be read from it, and are in the store
public record ReplacedStore(Path store, Path aside, String why, long rows) {}
