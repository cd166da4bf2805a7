package io.taskbroker.inflight.api;

import io.taskbroker.activation.Activation;
import java.util.Optional;
import java.util.Set;

/// Pauses that operators set: tasks that match one are kept and not delivered. A worker that has a
/// task keeps it. Immutable.
public record Pauses(Set<Pause> all) {
  public static final Pauses NONE = new Pauses(Set.of());

  public Pauses {
    all = Set.copyOf(all);
  }

  /// A pause of an application, or of a namespace or a task name; empty fields match all.
  public record Pause(
      Optional<String> application, Optional<String> namespace, Optional<String> taskname) {
    public Pause {
      if (application.isEmpty() && namespace.isEmpty() && taskname.isEmpty()) {
        throw new IllegalArgumentException(
            "A pause names an application, a namespace or a task name");
      }
    }

    boolean matches(Activation activation) {
      return matches(application, activation.application())
          && matches(namespace, activation.namespace())
          && matches(taskname, activation.taskname());
    }

    private static boolean matches(Optional<String> wanted, String name) {
      return wanted.isEmpty() || wanted.get().equals(name);
    }

    @Override
    public String toString() {
      return application.map(name -> "application " + name + " ").orElse("")
          + namespace.map(name -> "namespace " + name + " ").orElse("")
          + taskname.map(name -> "task " + name).orElse("");
    }
  }

  public boolean hold(Activation activation) {
    return !all.isEmpty() && find(activation).isPresent();
  }

  /// A pause that holds the activation.
  public Optional<Pause> find(Activation activation) {
    return all.stream().filter(pause -> pause.matches(activation)).findFirst();
  }
}
