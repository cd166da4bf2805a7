package io.taskbroker.rules;

import io.taskbroker.activation.Activation;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Rules;

/// Rules in force: those of the file and those of the API, both at once (ADR 43). Neither lifts
/// what the other one stops. Thread-safe: one lock, so that the engine receives changes in their
/// order.
public final class RulesInForce {
  private final CommandSink engine;
  private Rules ofFile = Rules.NONE;
  private Rules ofApi = Rules.NONE;

  public RulesInForce(CommandSink engine) {
    this.engine = engine;
  }

  /// Rules for the start of the engine, which is not told of them.
  public synchronized Rules start(Rules file, Rules api) {
    ofFile = file;
    ofApi = api;
    return both();
  }

  /// Applies other rules of the file.
  public synchronized void changeFile(Rules rules) {
    ofFile = rules;
    engine.submit(new Command.RulesChanged(both()));
  }

  synchronized void changeApi(Rules rules) {
    ofApi = rules;
    engine.submit(new Command.RulesChanged(both()));
  }

  private Rules both() {
    if (!ofApi.exist()) {
      return ofFile;
    }
    return ofFile.exist() ? new Both(ofFile, ofApi) : ofApi;
  }

  /// Two sets of rules. The harder decision holds; of two that are equal, that of the API.
  private record Both(Rules file, Rules api) implements Rules {
    @Override
    public boolean exist() {
      return true;
    }

    @Override
    public Decision judge(Activation activation) {
      Decision byFile = file.judge(activation);
      Decision byApi = api.judge(activation);
      return weight(byFile) > weight(byApi) ? byFile : byApi;
    }

    private static int weight(Decision decision) {
      return switch (decision) {
        case Decision.Kept kept -> kept == Decision.Kept.AS_IT_IS ? 0 : 1;
        case Decision.Demoted _ -> 2;
        case Decision.Killed _ -> 3;
      };
    }
  }
}
