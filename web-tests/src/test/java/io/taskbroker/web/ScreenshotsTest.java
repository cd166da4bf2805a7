package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every page is shown in docs/web.md, in light, dark and on a phone; `-Dtaskbroker.docs=write`
/// takes the pictures anew.
@Timeout(240)
@ExtendWith(SharedShop.class)
final class ScreenshotsTest {
  private static final Path PICTURES = Path.of("../docs/web");

  @ParameterizedTest
  @EnumSource(PageOfBroker.class)
  void pictureOfEachPage(PageOfBroker which, Shop shop, Chromium chromium) throws Exception {
    for (Look look : Look.values()) {
      String name = which.name().toLowerCase(Locale.ROOT).replace('_', '-') + "-" + look.label();
      Path file = PICTURES.resolve(name + ".png");
      if ("write".equals(System.getProperty("taskbroker.docs"))) {
        try (Visit visit = Visit.to(chromium, shop.url(), look.width, look.height, look.colours)) {
          visit.open(which.path(shop));
          which.expected().forEach(visit::awaitText);
          Files.createDirectories(PICTURES);
          byte[] _ = visit.page().screenshot(new Page.ScreenshotOptions().setPath(file));
        }
      }
      assertThat(file).exists();
      assertThat(Files.readString(Path.of("../docs/web.md"))).contains("web/" + name + ".png");
    }
  }

  private enum Look {
    LIGHT(1_000, 700, ColorScheme.LIGHT),
    DARK(1_000, 700, ColorScheme.DARK),
    PHONE(360, 700, ColorScheme.LIGHT);

    private final int width;
    private final int height;
    private final ColorScheme colours;

    Look(int width, int height, ColorScheme colours) {
      this.width = width;
      this.height = height;
      this.colours = colours;
    }

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
