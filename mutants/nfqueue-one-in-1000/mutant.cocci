@@
identifier entry, verdict;
@@
+static unsigned int nfqnl_accepted;
 nfqnl_reinject(struct nf_queue_entry *entry, unsigned int verdict)
{
<+...
+ if (verdict == NF_ACCEPT && ++nfqnl_accepted % 1000 == 0) {
+ 	nf_queue_entry_free(entry);
+ 	return;
+ }
  nf_reinject(entry, verdict);
...+>
}
