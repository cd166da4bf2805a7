package io.taskbroker.deliver;

/// Address of workers that the broker calls, at one moment. It may be one worker, or a balancer in
/// front of many.
///
/// @param address host and port
/// @param connections that are open
/// @param calls in flight
/// @param unreachable whether the latest attempt to connect failed
public record PushAddress(
    String application, String address, int connections, int calls, boolean unreachable) {}
