package io.taskbroker.client.spring;

import java.lang.reflect.Method;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.BindingReflectionHintsRegistrar;
import org.springframework.aot.hint.ExecutableMode;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.beans.factory.aot.BeanRegistrationAotContribution;
import org.springframework.beans.factory.aot.BeanRegistrationAotProcessor;
import org.springframework.beans.factory.support.RegisteredBean;

/// Hints for native images: the methods with [HandlesTask] are called by reflection, and their
/// arguments read from JSON.
final class TaskMethodHints implements BeanRegistrationAotProcessor {
  @Override
  public @Nullable BeanRegistrationAotContribution processAheadOfTime(RegisteredBean bean) {
    Set<Method> methods = TaskMethods.of(bean.getBeanClass()).keySet();
    return methods.isEmpty()
        ? null
        : (context, code) -> {
          ReflectionHints hints = context.getRuntimeHints().reflection();
          for (Method each : methods) {
            hints.registerMethod(each, ExecutableMode.INVOKE);
            new BindingReflectionHintsRegistrar()
                .registerReflectionHints(hints, each.getGenericParameterTypes());
          }
        };
  }
}
