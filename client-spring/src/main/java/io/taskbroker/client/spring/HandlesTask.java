package io.taskbroker.client.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Makes a method of a bean the code of a task. Its first parameter is the argument; a second one,
/// which may be left out, is the [io.taskbroker.client.TaskContext].
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface HandlesTask {
  /// Name of the task.
  String value();

  String namespace() default "default";
}
