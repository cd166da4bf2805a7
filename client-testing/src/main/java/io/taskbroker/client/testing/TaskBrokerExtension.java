package io.taskbroker.client.testing;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// JUnit extension that gives brokers to tests by the types of their parameters: an [InlineBroker]
/// of each test, or the [TestBroker] of the test class, started when first asked for. Both are
/// closed in time.
///
/// ```java
/// @ExtendWith(TaskBrokerExtension.class)
/// class ShopTest {
///   @Test
///   void checkoutSendsAReceipt(InlineBroker broker) { … }
/// }
/// ```
public final class TaskBrokerExtension implements ParameterResolver {
  private static final Namespace STORE = Namespace.create(TaskBrokerExtension.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == InlineBroker.class || type == TestBroker.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    if (parameter.getParameter().getType() == InlineBroker.class) {
      return context
          .getStore(STORE)
          .computeIfAbsent(InlineBroker.class, key -> new InlineBroker(), InlineBroker.class);
    }
    ExtensionContext ofClass =
        context
            .getTestClass()
            .flatMap(type -> context.getParent().filter(parent -> parent.getTestMethod().isEmpty()))
            .orElse(context);
    return ofClass
        .getStore(STORE)
        .computeIfAbsent(TestBroker.class, key -> TestBroker.start(), TestBroker.class);
  }
}
