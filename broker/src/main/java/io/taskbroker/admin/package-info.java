/// HTTP API of operators: what is in flight and why it stands still, and acts on it
/// (docs/admin.md). It asks the engine by bounded commands and reads rows on a connection of its
/// own, so that no request waits for the committer and none keeps the engine.
@NullMarked
package io.taskbroker.admin;

import org.jspecify.annotations.NullMarked;
