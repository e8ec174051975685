@@
@@
tbf_dequeue(...)
{
<+...
- qdisc_watchdog_schedule_ns(...);
...+>
}
