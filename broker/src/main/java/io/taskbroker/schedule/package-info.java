/// Schedules that the broker keeps: when their slots are, and a stage that enqueues the task of
/// each slot exactly once (docs/schedules.md, docs/adr/0040).
@NullMarked
package io.taskbroker.schedule;

import org.jspecify.annotations.NullMarked;
