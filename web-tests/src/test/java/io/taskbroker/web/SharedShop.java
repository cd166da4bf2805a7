package io.taskbroker.web;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// Extension that provides the one [Shop] and the one [Chromium] of all tests.
final class SharedShop implements ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(SharedShop.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == Shop.class || type == Chromium.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    ExtensionContext.Store store = context.getRoot().getStore(NAMESPACE);
    return parameter.getParameter().getType() == Shop.class
        ? store.computeIfAbsent(Shop.class, _ -> opened(), Shop.class)
        : store.computeIfAbsent(Chromium.class, _ -> Chromium.start(), Chromium.class);
  }

  private static Shop opened() {
    try {
      return Shop.open();
    } catch (Exception e) {
      throw new IllegalStateException("The shop did not open", e);
    }
  }
}
