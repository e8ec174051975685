@@
identifier entry, verdict;
@@
nfqnl_reinject(struct nf_queue_entry *entry, unsigned int verdict)
{
<+...
- nf_reinject(entry, verdict);
+ if (verdict == NF_DROP) {
+ 	nf_queue_entry_free(entry);
+ 	return;
+ }
+ nf_reinject(entry, verdict);
...+>
}
