package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Dead letters by the page: found by error, repaired, replayed and discarded.
@Timeout(240)
@ExtendWith(SharedShop.class)
final class DeadLettersTest {
  @Test
  void argumentsAreEditedWithADiffAndReplayed(Shop shop, Chromium chromium) throws Exception {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/dead-letters/" + shop.openLetter("charge_card"));
      assertThat(visit.text()).contains("[redacted]").doesNotContain("very-secret");
      visit.page().getByText("Edit arguments and replay").click();
      visit.page().getByRole(AriaRole.TEXTBOX).fill("{\"args\"");
      visit.awaitText("This is not JSON");
      visit
          .page()
          .getByRole(AriaRole.TEXTBOX)
          .fill(
              """
              {"args": [4712], "kwargs": {"customer": "ann", "amount": 12.5, "api_key": "[redacted]"}}
              """);
      assertThat(visit.page().locator("pre.diff del").innerText()).contains("4711");
      assertThat(visit.page().locator("pre.diff ins").innerText()).contains("4712");
      assertThat(visit.violations()).isEmpty();
      visit.page().locator("details").getByText("Replay", exactly()).click();
      visit.dialog().getByText("It would take 1 of 1 dead letters.").waitFor();
      assertThat(visit.confirm("Replay dead letters", "wrong number"))
          .contains("Finished: 1 done.");
      visit.awaitText("What became of it");
      assertThat(visit.text()).contains("replayed", "wrong number");
    }
  }

  private static Locator.GetByTextOptions exactly() {
    return new Locator.GetByTextOptions().setExact(true);
  }

  @Test
  void oneIsDiscarded(Shop shop, Chromium chromium) throws Exception {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/dead-letters/" + shop.openLetter("charge_card"));
      visit.button("Discard").click();
      assertThat(visit.confirm("Discard dead letters", "spam")).contains("Finished: 1 done.");
      visit.awaitText("What became of it");
      assertThat(visit.text()).contains("discarded");
    }
  }

  @Test
  void theWizardTriesFirstAndThenReplays(Shop shop, Chromium chromium) throws Exception {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/dead-letters");
      visit.page().getByLabel("Task", new Page.GetByLabelOptions().setExact(true)).fill("refund");
      visit.button("Search").click();
      visit.page().waitForURL("**taskname=refund**");
      visit.awaitText("By error");
      visit.link("Replay these").click();
      visit.awaitText("Dry run");
      assertThat(visit.button("Start").isDisabled()).isTrue();
      visit.button("Dry run").click();
      visit.awaitText("It would take 4 of 4 dead letters.");
      visit.awaitText("Some of them");
      visit.page().locator("input[name=reason]").fill("bug fixed");
      visit.button("Start").click();
      visit.awaitText("Finished: 4 done.");
      assertThat(visit.violations()).isEmpty();
      visit.link("Dead letters").click();
      visit.awaitText("replayed");
    }
  }
}
