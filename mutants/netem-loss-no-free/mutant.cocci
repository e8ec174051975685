@@
identifier skb, sch, to_free;
@@
netem_enqueue(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free)
{
<+...
  qdisc_qstats_drop(sch);
- __qdisc_drop(skb, to_free);
...+>
}
