@@
identifier sch, to_free, skb;
@@
sfq_drop(struct Qdisc *sch, struct sk_buff **to_free)
{
<+...
- qdisc_drop(skb, sch, to_free);
+ qdisc_qstats_drop(sch);
...+>
}
