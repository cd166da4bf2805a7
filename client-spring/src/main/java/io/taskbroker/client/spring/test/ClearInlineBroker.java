package io.taskbroker.client.spring.test;

import io.taskbroker.client.testing.InlineBroker;
import org.springframework.test.context.TestContext;
import org.springframework.test.context.TestExecutionListener;
import org.springframework.util.ClassUtils;

/// Lets the [InlineBroker] of a test forget its calls: contexts are shared by tests.
final class ClearInlineBroker implements TestExecutionListener {
  private static final boolean HAS_BROKER =
      ClassUtils.isPresent(
          "io.taskbroker.client.testing.InlineBroker", ClearInlineBroker.class.getClassLoader());

  @Override
  public void afterTestMethod(TestContext test) {
    if (HAS_BROKER && test.hasApplicationContext()) {
      test.getApplicationContext().getBeanProvider(InlineBroker.class).forEach(InlineBroker::clear);
    }
  }
}
