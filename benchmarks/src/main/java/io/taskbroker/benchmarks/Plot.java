package io.taskbroker.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Line plot as SVG. Not thread-safe.
final class Plot {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 380;
  private static final int LEFT = 70;
  private static final int RIGHT = 200;
  private static final int TOP = 40;
  private static final int BOTTOM = 45;
  private static final String[] COLOURS = {
    "#1b6ca8", "#d1495b", "#2e933c", "#e09f3e", "#6f4e9c", "#3aa6a0", "#8c564b", "#7f7f7f"
  };

  private final String title;
  private final String xLabel;
  private final String yLabel;
  private final boolean logarithmic;
  private final List<Line> lines = new ArrayList<>();

  /// @param logarithmic whether the horizontal axis is logarithmic
  Plot(String title, String xLabel, String yLabel, boolean logarithmic) {
    this.title = title;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
    this.logarithmic = logarithmic;
  }

  record Point(double x, double y) {}

  private record Line(String name, List<Point> points) {}

  /// Adds a line of at least one point.
  void line(String name, List<Point> points) {
    if (!points.isEmpty()) {
      lines.add(new Line(name, List.copyOf(points)));
    }
  }

  boolean isEmpty() {
    return lines.isEmpty();
  }

  String svg() {
    var svg = new StringBuilder();
    svg.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
        <rect width="100%%" height="100%%" fill="#ffffff"/>
        <text x="%d" y="22" font-size="15">%s</text>
        """
            .formatted(WIDTH, HEIGHT, LEFT, title));
    axes(svg);
    for (int i = 0; i < lines.size(); i++) {
      draw(svg, lines.get(i), COLOURS[i % COLOURS.length], i);
    }
    return svg.append("</svg>\n").toString();
  }

  private void axes(StringBuilder svg) {
    double top = step(maxY());
    for (double y = 0; y <= 1.0001 * top * Math.ceil(maxY() / top); y += top) {
      svg.append(
          "<line x1=\"%d\" x2=\"%d\" y1=\"%s\" y2=\"%s\" stroke=\"#dddddd\"/>%n"
              .formatted(LEFT, WIDTH - RIGHT, at(yAt(y)), at(yAt(y))));
      text(svg, LEFT - 6, yAt(y) + 4, "end", number(y));
    }
    var ticks = new ArrayList<Double>();
    if (logarithmic) {
      for (double x = Math.pow(10, Math.floor(Math.log10(minX()))); x <= 1.0001 * maxX(); x *= 10) {
        ticks.add(x);
      }
    } else {
      double step = step(maxX());
      for (double x = 0; x <= 1.0001 * maxX(); x += step) {
        ticks.add(x);
      }
    }
    for (double x : ticks) {
      text(svg, xAt(x), HEIGHT - BOTTOM + 16, "middle", number(x));
    }
    text(svg, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8, "middle", xLabel);
    text(svg, LEFT, TOP - 6, "middle", yLabel);
  }

  private void draw(StringBuilder svg, Line line, String colour, int index) {
    svg.append(
        "<polyline fill=\"none\" stroke-width=\"1.8\" stroke=\"%s\" points=\"".formatted(colour));
    for (Point point : line.points) {
      svg.append(at(xAt(point.x))).append(',').append(at(yAt(point.y))).append(' ');
    }
    svg.append("\"/>\n");
    int y = TOP + 18 * index;
    svg.append(
        "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"4\" fill=\"%s\"/>%n"
            .formatted(WIDTH - RIGHT + 14, y, colour));
    text(svg, WIDTH - RIGHT + 32, y + 7, "start", line.name);
  }

  private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
    svg.append(
        "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>%n"
            .formatted(at(x), at(y), anchor, text));
  }

  private double xAt(double x) {
    double from = logarithmic ? Math.log10(minX()) : 0;
    double to = logarithmic ? Math.log10(maxX()) : maxX();
    double value = logarithmic ? Math.log10(Math.max(x, 1e-9)) : x;
    double share = to <= from ? 0 : (value - from) / (to - from);
    return LEFT + share * (WIDTH - LEFT - RIGHT);
  }

  private double yAt(double y) {
    double step = step(maxY());
    double top = step * Math.ceil(maxY() / step);
    return HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM);
  }

  private double minX() {
    return points().mapToDouble(Point::x).min().orElse(1);
  }

  private double maxX() {
    return points().mapToDouble(Point::x).max().orElse(1);
  }

  private double maxY() {
    return Math.max(1e-9, points().mapToDouble(Point::y).max().orElse(1));
  }

  private java.util.stream.Stream<Point> points() {
    return lines.stream().flatMap(line -> line.points.stream());
  }

  /// A round step that gives about five grid lines.
  private static double step(double max) {
    double rough = max / 5;
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    double digit = rough / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
  }

  private static String number(double value) {
    return value >= 10 || value == Math.rint(value)
        ? String.format(Locale.ROOT, "%,.0f", value)
        : String.format(Locale.ROOT, "%.2f", value);
  }

  private static String at(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
