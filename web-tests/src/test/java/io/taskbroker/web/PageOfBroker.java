package io.taskbroker.web;

import java.util.List;

/// The pages, with texts of the [Shop] that each must show.
enum PageOfBroker {
  OVERVIEW("/ui/", "Completed", "workers fail", "no worker", "newsletter", "p99"),
  APPLICATION("/ui/applications/import", "Why its tasks wait", "import_prices"),
  TASKS("/ui/tasks?application=newsletter", "send_letter"),
  TASK("task", "Why it does not run", "customer", "Delay ends"),
  FINISHED("/ui/finished?application=mail", "send_receipt", "Ended"),
  FINISHED_TASK("finished", "What happened", "Delivered"),
  WORKERS("/ui/workers", "billing", "fails; next call", "pod-7", "2 of 8", "unreachable"),
  DEAD_LETTERS("/ui/dead-letters", "charge_card", "refund"),
  DEAD_LETTER("/ui/dead-letters/0:0", "Why it failed", "customer"),
  REPLAY("/ui/dead-letters/replay?taskname=refund", "Dry run"),
  SCHEDULES("/ui/schedules", "nightly", "30 2 * * * Europe/Vienna"),
  SCHEDULE("/ui/schedules/nightly", "Next times", "customer"),
  SCHEDULE_EDITOR("/ui/schedule-editor?name=nightly", "More settings", "Next times"),
  RULES("/ui/rules", "old_task", "Nothing is paused."),
  BROKERS("/ui/brokers", "shop-tasks", "alive"),
  AUDIT("/ui/audit", "Acts"),
  CONFIG("/ui/config", "kafka_deadletter_topic");

  private final String path;

  @SuppressWarnings("ImmutableEnumChecker") // the list is unmodifiable
  private final List<String> expected;

  PageOfBroker(String path, String... expected) {
    this.path = path;
    this.expected = List.of(expected);
  }

  String path(Shop shop) {
    return switch (path) {
      case "task" -> "/ui/tasks/" + shop.example("/v1/tasks?application=newsletter&limit=1");
      case "finished" -> "/ui/finished/" + shop.example("/v1/finished?application=mail&limit=1");
      default -> path;
    };
  }

  List<String> expected() {
    return expected;
  }
}
