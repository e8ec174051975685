@@
identifier sch, q;
@@
tbf_reset(struct Qdisc *sch)
{
<+...
- qdisc_reset(q->qdisc);
+ q->qdisc->q.head = NULL;
+ q->qdisc->q.tail = NULL;
+ q->qdisc->q.qlen = 0;
...+>
}
