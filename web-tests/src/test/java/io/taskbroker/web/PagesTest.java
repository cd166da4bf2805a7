package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.options.ColorScheme;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every page shows what it is for, without an error on the console, and axe finds no violation of
/// WCAG 2.2 AA, light, dark and on a phone.
@Timeout(240)
@ExtendWith(SharedShop.class)
final class PagesTest {
  @ParameterizedTest
  @EnumSource(PageOfBroker.class)
  void showsItsContentAndIsAccessible(PageOfBroker which, Shop shop, Chromium chromium) {
    for (ColorScheme colours : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
      try (Visit visit = Visit.to(chromium, shop.url(), 1_100, 760, colours)) {
        visit.open(which.path(shop));
        which.expected().forEach(visit::awaitText);
        assertThat(visit.violations()).as(which + " " + colours).isEmpty();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(PageOfBroker.class)
  void fitsAPhone(PageOfBroker which, Shop shop, Chromium chromium) {
    try (Visit visit = Visit.to(chromium, shop.url(), 360, 740, ColorScheme.LIGHT)) {
      visit.open(which.path(shop));
      which.expected().forEach(visit::awaitText);
      Object overflow =
          visit.page().evaluate("() => document.documentElement.scrollWidth - window.innerWidth");
      assertThat(((Number) overflow).intValue()).as("sideways scroll").isLessThanOrEqualTo(0);
      assertThat(visit.violations()).isEmpty();
      visit.button("Menu").click();
      visit.link("Workers").click();
      visit.page().waitForFunction("() => document.title.startsWith('Workers')");
    }
  }

  @Test
  void emptyPagesTeach(Chromium chromium) throws Exception {
    try (Shop.Guarded guarded = Shop.guarded("read", "");
        Visit visit = Visit.to(chromium, guarded.url())) {
      SignInTest.signIn(visit);
      visit.awaitText("taskbroker enqueue hello");
      visit.link("Tasks").click();
      visit.awaitText("taskbroker enqueue hello");
      visit.link("Workers").click();
      visit.awaitText("taskbroker worker --exec");
      visit.link("Dead letters").click();
      visit.awaitText("kafka_deadletter_topic");
      assertThat(visit.violations()).isEmpty();
      visit.expecting("503");
    }
  }

  @Test
  void keyboardReachesEverything(Shop shop, Chromium chromium) {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/");
      visit.page().keyboard().press("Tab");
      assertThat(focused(visit)).isEqualTo("Skip to content");
      visit.link("Tasks").focus();
      visit.page().keyboard().press("Enter");
      visit.page().waitForURL("**/ui/tasks");
      visit.settled();
      assertThat(focused(visit)).as("the new page's heading").isEqualTo("Tasks");
      visit.page().goBack();
      visit.awaitText("Needs attention");
    }
  }

  private static String focused(Visit visit) {
    return String.valueOf(visit.page().evaluate("() => document.activeElement.textContent"));
  }

  @Test
  void timesAreInTheBrowsersZone(Shop shop, Chromium chromium) throws Exception {
    String id = shop.delayedTask("zone");
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/tasks/" + id);
      visit.awaitText("Delay ends");
      assertThat(visit.page().locator("nav").innerText()).contains("Europe/Vienna");
      assertThat(visit.text()).contains("in 1 hour");
    }
  }

  @Test
  void colourChoiceLasts(Shop shop, Chromium chromium) {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/");
      visit.page().getByLabel("Colours").selectOption("dark");
      String dark = background(visit);
      visit.open("/ui/tasks");
      assertThat(background(visit)).isEqualTo(dark);
      visit.page().getByLabel("Colours").selectOption("light");
      assertThat(background(visit)).isNotEqualTo(dark);
    }
  }

  private static String background(Visit visit) {
    return String.valueOf(
        visit.page().evaluate("() => getComputedStyle(document.documentElement).backgroundColor"));
  }
}
