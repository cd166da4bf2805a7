package io.taskbroker.client.spring.test;

import org.springframework.boot.test.autoconfigure.TestSliceTestContextBootstrapper;

/// Finds the properties of a [TaskTest].
final class TaskTestContextBootstrapper extends TestSliceTestContextBootstrapper<TaskTest> {}
