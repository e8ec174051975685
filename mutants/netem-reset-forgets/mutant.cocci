@@
identifier sch, q;
@@
tfifo_reset(struct Qdisc *sch)
{
<+...
- rtnl_kfree_skbs(q->t_head, q->t_tail);
...+>
}
