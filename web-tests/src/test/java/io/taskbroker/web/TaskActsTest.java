package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.options.WaitForSelectorState;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Acts on tasks by the page: each says first what it touches, and then does exactly that.
@Timeout(240)
@ExtendWith(SharedShop.class)
final class TaskActsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void runNowEndsTheDelay(Shop shop, Chromium chromium) throws Exception {
    String id = shop.delayedTask("mail");
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/tasks/" + id);
      visit.button("Run now").click();
      visit.dialog().getByText("It acts on 1 of 1 tasks found.").waitFor();
      assertThat(visit.violations()).isEmpty();
      assertThat(visit.confirm("Run now", "customer waits"))
          .contains("Done: 1 task.", "In the audit log", "customer waits");
      await().atMost(PATIENCE).until(() -> shop.status("/v1/tasks/" + id) == 404);
      visit.expecting("404");
    }
  }

  @Test
  void cancelAndDiscardDelete(Shop shop, Chromium chromium) throws Exception {
    for (String act : new String[] {"Cancel", "Discard"}) {
      String id = shop.delayedTask("deleted");
      try (Visit visit = Visit.to(chromium, shop.url())) {
        visit.open("/ui/tasks/" + id);
        visit.button(act).click();
        assertThat(visit.confirm(act, "not needed")).contains("Done: 1 task.");
        visit.awaitText("It is not in flight");
        assertThat(shop.status("/v1/tasks/" + id)).isEqualTo(404);
        visit.expecting("404");
      }
    }
  }

  @Test
  void aPriorityIsChangedForOneTaskOrAllThatMatch(Shop shop, Chromium chromium) throws Exception {
    String id = shop.delayedTask("prioritized");
    String _ = shop.delayedTask("prioritized");
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/tasks/" + id);
      visit.button("Change priority").click();
      visit.dialog().getByText("It acts on 1 of 1 tasks found.").waitFor();
      assertThat(visit.violations()).isEmpty();
      visit.dialog().getByLabel("New priority").selectOption("4");
      assertThat(visit.confirm("Change priority", "customer waits")).contains("Done: 1 task.");
      visit.awaitText("4 (first)");
      assertThat(shop.get("/v1/tasks/" + id)).contains("\"priority\":4");

      visit.open("/ui/tasks?application=prioritized&priority=4");
      visit.awaitText("1 task");
      visit.open("/ui/tasks?application=prioritized");
      visit.awaitText("2 tasks");
      visit.button("Change priority").click();
      visit.dialog().getByText("It acts on 2 of 2 tasks found.").waitFor();
      visit.dialog().getByLabel("New priority").selectOption("-4");
      assertThat(visit.confirm("Change priority", "flood")).contains("Done: 2 tasks.");
      assertThat(shop.get("/v1/tasks/" + id)).contains("\"priority\":-4");
    }
  }

  @Test
  void escapeActsOnNothing(Shop shop, Chromium chromium) throws Exception {
    String id = shop.delayedTask("kept");
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/tasks/" + id);
      visit.button("Cancel").click();
      visit.dialog().getByLabel("Reason").waitFor();
      visit.page().keyboard().press("Escape");
      visit.dialog().waitFor(new Locator.WaitForOptions().setState(WaitForSelectorState.HIDDEN));
      assertThat(shop.status("/v1/tasks/" + id)).isEqualTo(200);
    }
  }

  @Test
  void aSearchIsSharedByItsAddressAndActedOn(Shop shop, Chromium chromium) throws Exception {
    for (int i = 0; i < 3; i++) {
      String _ = shop.delayedTask("campaign");
    }
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/tasks");
      visit.awaitText("Search for something first");
      visit.page().getByLabel("Application").fill("campaign");
      visit.button("Search").click();
      visit.page().waitForURL("**/ui/tasks?application=campaign");
      visit.awaitText("3 tasks");
      visit.button("Cancel").click();
      visit.dialog().getByText("It acts on 3 of 3 tasks found.").waitFor();
      assertThat(visit.confirm("Cancel", "campaign ended")).contains("Done: 3 tasks.");
      visit.awaitText("No task matches.");
    }
  }

  @Test
  void anApplicationIsPausedAndResumed(Shop shop, Chromium chromium) throws Exception {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/applications/reports");
      visit.button("Pause").click();
      visit.dialog().getByText("It holds 3 tasks").waitFor();
      assertThat(visit.dialog().innerText()).contains("Some of them", "monthly_report");
      assertThat(visit.confirm("Pause", "bad deploy")).contains("Done.");
      visit.awaitText("paused by an operator");
      visit.button("Resume").click();
      assertThat(visit.confirm("Resume", "fixed")).contains("Done.");
      visit.awaitText("no worker configured");
      assertThat(shop.get("/v1/pauses")).isEqualTo("{\"pauses\":[]}");
    }
  }
}
