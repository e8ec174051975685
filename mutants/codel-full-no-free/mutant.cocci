@@
identifier skb, sch, to_free, q;
@@
codel_qdisc_enqueue(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free)
{
<+...
  q->drop_overlimit++;
(
- return qdisc_drop(skb, sch, to_free);
+ qdisc_qstats_drop(sch);
+ return NET_XMIT_DROP;
|
- return qdisc_drop_reason(skb, sch, to_free, ...);
+ qdisc_qstats_drop(sch);
+ return NET_XMIT_DROP;
)
...+>
}
