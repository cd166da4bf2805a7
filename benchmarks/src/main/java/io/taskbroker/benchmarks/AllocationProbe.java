package io.taskbroker.benchmarks;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.management.JMX;
import javax.management.MBeanServerConnection;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/// Allocation counters of the threads of another Java process, read over JMX. The process loads its
/// management agent for that, which costs some megabytes and no time except during a [#look].
final class AllocationProbe implements AutoCloseable {
  private final JMXConnector connector;
  private final com.sun.management.ThreadMXBean threads;

  private AllocationProbe(JMXConnector connector) throws IOException {
    this.connector = connector;
    MBeanServerConnection server = connector.getMBeanServerConnection();
    try {
      threads =
          JMX.newMXBeanProxy(
              server,
              new ObjectName(ManagementFactory.THREAD_MXBEAN_NAME),
              com.sun.management.ThreadMXBean.class);
    } catch (MalformedObjectNameException e) {
      throw new IllegalStateException(e);
    }
  }

  /// @param pid of a child process
  /// @return empty if it is not a Java process or does not respond
  @SuppressWarnings("BanJNDI") // the address comes from the process itself
  static Optional<AllocationProbe> attach(long pid) {
    try {
      VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
      try {
        var url = new JMXServiceURL(machine.startLocalManagementAgent());
        return Optional.of(new AllocationProbe(JMXConnectorFactory.connect(url)));
      } finally {
        machine.detach();
      }
    } catch (IOException | AttachNotSupportedException _) {
      return Optional.empty();
    }
  }

  /// Allocated bytes by kind of thread; `all` includes threads that have ended.
  Map<String, Long> look() {
    long[] ids = threads.getAllThreadIds();
    var infos = threads.getThreadInfo(ids);
    long[] bytes = threads.getThreadAllocatedBytes(ids);
    var allocated = new TreeMap<String, Long>();
    for (int i = 0; i < ids.length; i++) {
      if (infos[i] != null && bytes[i] > 0) {
        allocated.merge(ProcessUsage.kind(infos[i].getThreadName()), bytes[i], Long::sum);
      }
    }
    allocated.put("all", threads.getTotalThreadAllocatedBytes());
    return allocated;
  }

  @Override
  public void close() {
    try {
      connector.close();
    } catch (IOException _) {
      // The process has already ended.
    }
  }
}
