package io.taskbroker.cli;

import io.taskbroker.runtime.BuildInfo;
import picocli.CommandLine.IVersionProvider;

/// Output of `--version`: name, version and commit of the build on one line.
public final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    BuildInfo build = BuildInfo.current();
    return new String[] {"taskbroker %s (commit %s)".formatted(build.version(), build.commit())};
  }
}
