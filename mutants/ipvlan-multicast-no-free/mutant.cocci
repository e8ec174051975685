@@
identifier work, skb;
@@
ipvlan_process_multicast(struct work_struct *work)
{
<+...
- dev_queue_xmit(skb);
...+>
}
