package io.taskbroker.web;

import java.util.List;

/// The pages, with texts of the [Shop] that each must show.
enum PageOfBroker {
  OVERVIEW("/ui/", "Completed", "workers fail", "no worker", "newsletter"),
  APPLICATION("/ui/applications/import", "Why its tasks wait", "import_prices"),
  TASKS("/ui/tasks?application=newsletter", "send_letter"),
  TASK("task", "Why it does not run", "customer", "Delay ends"),
  WORKERS("/ui/workers", "billing", "fails; next call"),
  DEAD_LETTERS("/ui/dead-letters", "charge_card", "refund"),
  DEAD_LETTER("/ui/dead-letters/0:0", "Why it failed", "customer"),
  REPLAY("/ui/dead-letters/replay?taskname=refund", "Dry run"),
  RULES("/ui/rules", "old_task", "Nothing is paused."),
  BROKERS("/ui/brokers", "shop-tasks");

  private final String path;
  private final List<String> expected;

  PageOfBroker(String path, String... expected) {
    this.path = path;
    this.expected = List.of(expected);
  }

  String path(Shop shop) {
    return path.equals("task") ? "/ui/tasks/" + shop.exampleTask() : path;
  }

  List<String> expected() {
    return expected;
  }
}
