package io.taskbroker.client.spring.test;

import io.taskbroker.client.spring.HandlesTask;
import java.io.IOException;
import org.springframework.boot.test.context.filter.annotation.StandardAnnotationCustomizableTypeExcludeFilter;
import org.springframework.core.type.classreading.MetadataReader;
import org.springframework.core.type.classreading.MetadataReaderFactory;

/// Leaves out what has no method with [HandlesTask].
final class TaskTypeExcludeFilter
    extends StandardAnnotationCustomizableTypeExcludeFilter<TaskTest> {
  TaskTypeExcludeFilter(Class<?> testClass) {
    super(testClass);
  }

  @Override
  protected boolean defaultInclude(MetadataReader reader, MetadataReaderFactory factory)
      throws IOException {
    return super.defaultInclude(reader, factory)
        || reader.getAnnotationMetadata().hasAnnotatedMethods(HandlesTask.class.getName());
  }
}
