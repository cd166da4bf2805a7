package io.taskbroker.client.spring;

import io.taskbroker.client.Task;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.TaskHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.util.ClassUtils;

/// Finder of the methods with [HandlesTask]. Beans are called through their proxies, so that
/// `@Transactional` and the like work.
final class TaskMethods {
  private TaskMethods() {}

  /// Receiver of the found methods: a worker, or a broker in tests.
  interface Runner {
    <T> void handle(Task<T> task, TaskHandler<T> handler);
  }

  /// The methods of a class, with their annotations.
  static Map<Method, HandlesTask> of(Class<?> type) {
    return MethodIntrospector.selectMethods(
        type,
        (MethodIntrospector.MetadataLookup<HandlesTask>)
            method -> AnnotatedElementUtils.findMergedAnnotation(method, HandlesTask.class));
  }

  /// Binds the methods of all beans.
  ///
  /// @return how many there are
  /// @throws IllegalStateException if a method has other parameters
  static int bind(ListableBeanFactory beans, Runner runner) {
    int count = 0;
    for (String name : beans.getBeanDefinitionNames()) {
      Class<?> declared = beans.getType(name, false);
      if (declared == null) {
        continue;
      }
      Map<Method, HandlesTask> methods = of(ClassUtils.getUserClass(declared));
      if (methods.isEmpty()) {
        continue;
      }
      Object bean = beans.getBean(name);
      methods.forEach((method, task) -> bind(bean, method, task, runner));
      count += methods.size();
    }
    return count;
  }

  private static void bind(Object bean, Method method, HandlesTask name, Runner runner) {
    Class<?>[] parameters = method.getParameterTypes();
    boolean fits =
        parameters.length == 1 || (parameters.length == 2 && parameters[1] == TaskContext.class);
    if (!fits) {
      throw new IllegalStateException(
          "@HandlesTask(\"%s\") %s must have the argument of the task as its parameter, and may have a TaskContext as the second one"
              .formatted(name.value(), method));
    }
    Method invocable = AopUtils.selectInvocableMethod(method, bean.getClass());
    invocable.setAccessible(true);
    bind(bean, invocable, Task.of(name.value(), parameters[0]).namespace(name.namespace()), runner);
  }

  private static <T> void bind(Object bean, Method method, Task<T> task, Runner runner) {
    boolean withContext = method.getParameterCount() == 2;
    runner.handle(
        task,
        (argument, context) -> {
          try {
            if (withContext) {
              method.invoke(bean, argument, context);
            } else {
              method.invoke(bean, argument);
            }
          } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
          }
        });
  }
}
