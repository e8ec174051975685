@@
identifier skb, dev;
@@
macvlan_queue_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
  macvlan_broadcast(skb, ...);
- goto xmit_world;
+ return NET_XMIT_SUCCESS;
...+>
}
