/// For tests of Spring applications: tasks run in the thread of the test, when it says so. Needs
/// `taskbroker-client-testing` and `spring-boot-starter-test`.
@NullMarked
package io.taskbroker.client.spring.test;

import org.jspecify.annotations.NullMarked;
