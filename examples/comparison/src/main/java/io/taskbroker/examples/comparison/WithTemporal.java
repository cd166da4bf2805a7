package io.taskbroker.examples.comparison;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.common.RetryOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;

final class WithTemporal {
  @ActivityInterface
  public interface Mail {
    void sendReceipt(Receipt receipt);
  }

  @WorkflowInterface
  public interface ReceiptWorkflow {
    @WorkflowMethod
    void run(Receipt receipt);
  }

  public static final class ReceiptWorkflowImpl implements ReceiptWorkflow {
    private final Mail mail =
        Workflow.newActivityStub(
            Mail.class,
            ActivityOptions.newBuilder()
                .setStartToCloseTimeout(Duration.ofSeconds(30))
                .setRetryOptions(RetryOptions.newBuilder().setMaximumAttempts(5).build())
                .build());

    @Override
    public void run(Receipt receipt) {
      mail.sendReceipt(receipt);
    }
  }

  static void enqueue(WorkflowClient client, Receipt receipt) {
    var options = WorkflowOptions.newBuilder().setTaskQueue("shop").build();
    WorkflowClient.start(client.newWorkflowStub(ReceiptWorkflow.class, options)::run, receipt);
  }

  private WithTemporal() {}
}
