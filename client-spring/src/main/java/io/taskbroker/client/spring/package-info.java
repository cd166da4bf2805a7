/// Spring Boot starter: a configured [io.taskbroker.client.TaskClient], a worker for methods with
/// [io.taskbroker.client.spring.HandlesTask], health, and enqueue in Spring transactions.
@NullMarked
package io.taskbroker.client.spring;

import org.jspecify.annotations.NullMarked;
