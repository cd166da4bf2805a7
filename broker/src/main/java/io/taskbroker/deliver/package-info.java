/// Push delivery: sends activations to the workers of their application by `WorkerService` calls.
/// Sends at once and reports the outcome of each call; the engine decides how many calls are in
/// flight and when to retry.
@NullMarked
package io.taskbroker.deliver;

import org.jspecify.annotations.NullMarked;
