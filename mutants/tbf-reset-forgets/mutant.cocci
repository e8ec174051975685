@@
identifier sch, q;
@@
tbf_reset(struct Qdisc *sch)
{
<+...
- qdisc_reset(q->qdisc);
...+>
}

@@
identifier sch, q;
@@
tbf_destroy(struct Qdisc *sch)
{
<+...
- qdisc_put(q->qdisc);
...+>
}
