@@
identifier q, drop;
@@
fq_enqueue(...)
{
<+...
  q->stat_flows_plimit++;
- return drop(...);
+ return NET_XMIT_DROP;
...+>
}
