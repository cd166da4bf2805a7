/// For tests of applications: [InlineBroker] runs tasks in the test's thread under a settable
/// clock, [TestBroker] runs the real broker in the process, [TaskBrokerExtension] gives both to
/// JUnit tests.
@NullMarked
package io.taskbroker.client.testing;

import org.jspecify.annotations.NullMarked;
