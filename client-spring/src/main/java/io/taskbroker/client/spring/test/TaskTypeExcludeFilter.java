package io.taskbroker.client.spring.test;

import io.taskbroker.client.spring.HandlesTask;
import java.io.IOException;
import java.util.Set;
import org.springframework.boot.test.context.filter.annotation.StandardAnnotationCustomizableTypeExcludeFilter;
import org.springframework.core.type.classreading.MetadataReader;
import org.springframework.core.type.classreading.MetadataReaderFactory;

/// Filter that leaves out components without a method with [HandlesTask].
final class TaskTypeExcludeFilter
    extends StandardAnnotationCustomizableTypeExcludeFilter<TaskTest> {
  private final Set<Class<?>> components;

  TaskTypeExcludeFilter(Class<?> testClass) {
    super(testClass);
    components = Set.of(getAnnotation().getValue("value", Class[].class).orElse(new Class<?>[0]));
  }

  @Override
  protected Set<Class<?>> getComponentIncludes() {
    return components;
  }

  @Override
  protected boolean defaultInclude(MetadataReader reader, MetadataReaderFactory factory)
      throws IOException {
    return super.defaultInclude(reader, factory)
        || (components.isEmpty()
            && reader.getAnnotationMetadata().hasAnnotatedMethods(HandlesTask.class.getName()));
  }
}
