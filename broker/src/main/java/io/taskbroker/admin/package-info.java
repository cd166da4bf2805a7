/// HTTP API of operators: shows the tasks in flight and why they wait, and acts on them
/// (docs/admin.md). It asks the engine by bounded commands and reads rows on a connection of its
/// own, so that no request waits for the committer and none keeps the engine.
@NullMarked
package io.taskbroker.admin;

import org.jspecify.annotations.NullMarked;
