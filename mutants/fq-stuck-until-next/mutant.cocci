@@
identifier sch;
@@
fq_dequeue(struct Qdisc *sch)
{
...
- if (!sch->q.qlen)
+ if (sch->q.qlen < 2)
  	return NULL;
...
}
