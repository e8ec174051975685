@@
identifier skb, dev, ret;
@@
+static unsigned int vlan_sent;
 vlan_dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
- ret = dev_queue_xmit(skb);
+ if (++vlan_sent % 100) {
+ 	ret = dev_queue_xmit(skb);
+ } else {
+ 	skb_orphan(skb);
+ 	ret = NET_XMIT_SUCCESS;
+ }
...+>
}
