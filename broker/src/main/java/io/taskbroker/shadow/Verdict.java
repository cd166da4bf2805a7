package io.taskbroker.shadow;

import java.util.Locale;

/// First action that the broker would take on a record, and its difference from the reference.
public enum Verdict {
  /// A worker gets it at once.
  DELIVER("delivers it", ""),
  /// It waits for its time.
  DELAY("delivers it when its delay ends", ""),
  /// It waits for the longest delay that is allowed.
  DELAY_CLAMPED(
      "delivers it after max_delayed_task_allowed_sec, earlier than asked", "does so silently"),
  /// An earlier record has the same id.
  DUPLICATE(
      "drops it if the earlier task is in flight, or ended within the duplicate window",
      "drops it if the earlier task is in flight"),
  /// No worker serves its application.
  NO_WORKER(
      "keeps it: worker_map does not name its application",
      "logs an error and counts it each time it tries the task"),
  /// It expired before it arrived.
  EXPIRED("ends it by its failure policy: a dead letter, or nothing", "drops it"),
  /// It cannot be decoded or stored.
  UNDECODABLE(
      "produces it to the dead-letter topic, with the reason in its headers",
      "prints and drops it"),
  /// A killswitch matches.
  SWITCHED_OFF("drops it: a killswitch of runtime_config_path matches", ""),
  /// Its namespace is demoted.
  DEMOTED(
      "stores it and forwards it to the topic of demoted tasks",
      "forwards it, and loses it if that fails");

  private final String action;
  private final String reference;

  Verdict(String action, String reference) {
    this.action = action;
    this.reference = reference;
  }

  /// What this broker does; follows "the broker".
  public String action() {
    return action;
  }

  /// What the reference does; follows "the reference". Empty if the same.
  public String reference() {
    return reference;
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
