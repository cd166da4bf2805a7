/// Java SDK: define tasks, enqueue them, run them.
///
/// Five types to begin with: [Task] names a kind of work and the type of its argument; a
/// [TaskClient] enqueues calls of it; a [TaskHandle] is one enqueued call; a [Worker] runs calls; a
/// [TaskContext] is what the running code sees of its call. No type depends on the broker or on a
/// framework. Arguments and results are never null unless a method says so.
@NullMarked
package io.taskbroker.client;

import org.jspecify.annotations.NullMarked;
